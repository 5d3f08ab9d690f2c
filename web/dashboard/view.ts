/** The props of a view: the settings that its link holds after `?`. */
export interface ViewProps {
  readonly query: URLSearchParams;
}
