import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useId, useState } from "preact/hooks";
import type { Fault } from "../access/problem.ts";

/** The faults of the last request, from which each field shows its own. */
export const Faults = createContext<readonly Fault[]>([]);

const messagesAt = (faults: readonly Fault[], path: string | undefined): string[] =>
  faults.filter((fault) => fault.path === path).map(({ message }) => message);

/** Makes a sentence of a message, which may continue the name of a field, as "must be unique". */
const asSentence = (message: string): string =>
  `${/^[a-z]/.test(message) ? `This field ${message}` : message}.`.replace("..", ".");

interface FrameProps {
  readonly label: string;
  readonly hint?: string | undefined;
  /** The path of the field in the request, as faults name it. */
  readonly path?: string | undefined;
}

interface Attributes {
  readonly id: string;
  readonly "aria-describedby"?: string | undefined;
  readonly "aria-invalid"?: boolean | undefined;
}

/** A label, a field, its hint and its faults. */
function Frame({
  label,
  hint,
  path,
  children,
}: FrameProps & { children: (attributes: Attributes) => ComponentChildren }) {
  const id = useId();
  const messages = messagesAt(useContext(Faults), path);
  const notes = [
    ...(hint === undefined ? [] : [`${id}-hint`]),
    ...(messages.length === 0 ? [] : [`${id}-faults`]),
  ];
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        "aria-describedby": notes.length === 0 ? undefined : notes.join(" "),
        "aria-invalid": messages.length > 0 ? true : undefined,
      })}
      {hint !== undefined && (
        <span class="hint" id={`${id}-hint`}>
          {hint}
        </span>
      )}
      {messages.length > 0 && (
        <span class="fault" id={`${id}-faults`}>
          {messages.map(asSentence).join(" ")}
        </span>
      )}
    </div>
  );
}

interface InputAttributes {
  readonly type?: "text" | "date" | "datetime-local" | "password";
  readonly min?: string;
  readonly max?: string;
  readonly inputMode?: "decimal" | "numeric";
  readonly autocomplete?: "off";
  readonly required?: boolean;
}

/** Widens the type: for Preact each type of input is another element. */
const plain = (attributes: InputAttributes): object => attributes;

interface TextFieldProps extends FrameProps, InputAttributes {
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** A field of a form. Its value changes with every letter; the form is sent later. */
export const TextField = ({ label, hint, path, value, onValue, ...input }: TextFieldProps) => (
  <Frame label={label} hint={hint} path={path}>
    {(attributes) => (
      <input
        {...plain(input)}
        {...attributes}
        value={value}
        onInput={({ currentTarget }) => onValue(currentTarget.value)}
      />
    )}
  </Frame>
);

interface TextAreaProps extends FrameProps {
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** A field of a form for several lines. */
export const TextArea = ({ label, hint, path, value, onValue }: TextAreaProps) => (
  <Frame label={label} hint={hint} path={path}>
    {(attributes) => (
      <textarea
        {...attributes}
        rows={3}
        value={value}
        onInput={({ currentTarget }) => onValue(currentTarget.value)}
      />
    )}
  </Frame>
);

/** A field of a filter. Its value changes when the field is left, or on Enter. */
export function FilterField({
  value,
  onValue,
  ...rest
}: TextFieldProps & { suggestions?: readonly string[] | undefined }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const commit = (): void => {
    if (typed !== value) onValue(typed);
  };
  const { label, hint, path, suggestions = [], ...input } = rest;
  const list = useId();
  return (
    <Frame label={label} hint={hint} path={path}>
      {(attributes) => (
        <>
          <input
            {...plain(input)}
            {...attributes}
            list={suggestions.length === 0 ? undefined : list}
            value={typed}
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
            onBlur={commit}
            onKeyDown={({ key }) => {
              if (key === "Enter") commit();
            }}
          />
          {suggestions.length > 0 && (
            <datalist id={list}>
              {suggestions.map((suggestion) => (
                <option key={suggestion} value={suggestion} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Frame>
  );
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

interface SelectFieldProps extends FrameProps {
  readonly value: string;
  /** Undefined where the options are unknown: the user types the value. */
  readonly options: readonly Option[] | undefined;
  readonly onValue: (value: string) => void;
}

const TYPED = "the list is not available: type the name";

/** A choice. A value outside the options, for example from an old link, is shown as an option of its own. */
export function SelectField({ label, hint, path, value, options, onValue }: SelectFieldProps) {
  if (options === undefined) return <FilterField {...{ label, path, value, onValue }} hint={hint ?? TYPED} />;
  const known = options.some((option) => option.value === value);
  const shown = known ? options : [{ value, label: value }, ...options];
  return (
    <Frame label={label} hint={hint} path={path}>
      {(attributes) => (
        <select {...attributes} value={value} onChange={({ currentTarget }) => onValue(currentTarget.value)}>
          {shown.map((option) => (
            <option key={option.value} value={option.value} selected={option.value === value}>
              {option.label}
            </option>
          ))}
        </select>
      )}
    </Frame>
  );
}

/** Options whose label is their value. */
export const optionsOf = (values: readonly string[]): Option[] =>
  values.map((value) => ({ value, label: value }));
