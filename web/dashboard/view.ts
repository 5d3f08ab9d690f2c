/** What a view gets: the settings that its link holds after `?`. */
export interface ViewProps {
  readonly query: URLSearchParams;
}
