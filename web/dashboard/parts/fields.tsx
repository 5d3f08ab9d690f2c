import { type ComponentChildren, createContext } from "preact";
import { useContext, useEffect, useId, useState } from "preact/hooks";
import type { Fault } from "../access/problem.ts";

/** The faults that the server found in what a form sent, for the fields to show theirs. */
export const Faults = createContext<readonly Fault[]>([]);

const messagesAt = (faults: readonly Fault[], path: string | undefined): string[] =>
  faults.filter((fault) => fault.path === path).map(({ message }) => message);

/** The server's messages follow the name of a field, as "must be unique", or stand alone. */
const asSentence = (message: string): string =>
  `${/^[a-z]/.test(message) ? `This field ${message}` : message}.`.replace("..", ".");

interface FrameProps {
  readonly label: string;
  readonly hint?: string | undefined;
  /** Where the field's value stands in the request, as its faults name it. */
  readonly path?: string | undefined;
}

interface Attributes {
  readonly id: string;
  readonly "aria-describedby"?: string | undefined;
  readonly "aria-invalid"?: boolean | undefined;
}

/** A label, a field, a hint, and what the server finds wrong with it. */
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
  readonly type?: "text" | "date" | "password";
  readonly inputMode?: "decimal" | "numeric";
  readonly autocomplete?: "off";
  readonly required?: boolean;
}

/** Only passed on: for Preact each type of input is another element. */
const plain = (attributes: InputAttributes): object => attributes;

interface TextFieldProps extends FrameProps, InputAttributes {
  readonly value: string;
  readonly onValue: (value: string) => void;
}

/** A field of a form: every letter counts at once, and nothing is asked before the form is sent. */
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

/** A field of a filter: what is typed counts when the field is left, or on Enter. */
export function FilterField({ value, onValue, ...rest }: TextFieldProps) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  const commit = (): void => {
    if (typed !== value) onValue(typed);
  };
  const { label, hint, path, ...input } = rest;
  return (
    <Frame label={label} hint={hint} path={path}>
      {(attributes) => (
        <input
          {...plain(input)}
          {...attributes}
          value={typed}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          onBlur={commit}
          onKeyDown={({ key }) => {
            if (key === "Enter") commit();
          }}
        />
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
  /** Undefined where nobody knows what there is to choose from: then it is typed. */
  readonly options: readonly Option[] | undefined;
  readonly onValue: (value: string) => void;
}

const TYPED = "there is no list to choose from: type its name";

/** A choice. A value that is none of the options, as from an old link, is shown as it is. */
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

/** Options that are called what they are. */
export const optionsOf = (values: readonly string[]): Option[] =>
  values.map((value) => ({ value, label: value }));
