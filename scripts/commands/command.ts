import { type ParseArgsConfig, parseArgs } from "node:util";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** What was given on the command line. */
type Given<O extends Options> = ReturnType<typeof parseArgs<{ options: O; allowPositionals: true }>>;

/** A command as its file declares it. */
interface Declaration<O extends Options> {
  readonly name: string;
  /** What it does, without a subject: "copies the database to a new file". */
  readonly summary: string;
  /** The arguments as the help shows them: "<new file> [--database <file>]". */
  readonly usage: string;
  /** The rest of the help: a line for each option, and what else has to be known. */
  readonly help: string;
  readonly options: O;
  /** Whether it takes arguments that are not options. Default: false. */
  readonly allowPositionals?: boolean;
  readonly run: (given: Given<O>) => Promise<void>;
}

/** A command of the command line. */
export interface Command {
  readonly summary: string;
  readonly usage: string;
  /** All that `--help` prints. */
  readonly help: string;
  /** The names of its options. */
  readonly options: readonly string[];
  /** Runs with the arguments after its name. `--help` prints the help instead. */
  run(args: readonly string[]): Promise<void>;
}

/** Ends a command with a message for the person who started it, without a stack. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/** The arguments make no sense: the help follows the message. */
export class WrongUsage extends Refused {}

/** Writes a line to standard error, which leaves standard output to results. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** How the person calls a command: by a script of this project, or by the program of the package. */
export const callOf = (name: string): string =>
  process.env.npm_lifecycle_event === name ? `npm run ${name} --` : `analytics-server ${name}`;

const HELP = { help: { type: "boolean", short: "h" } } as const;

export function defineCommand<const O extends Options>(command: Declaration<O>): Command {
  const { name, summary, usage, options, help, allowPositionals = false } = command;
  const text = `${`${callOf(name)} ${usage}`.trimEnd()}

  ${summary}.

${help}`;

  function parsed(args: readonly string[]): Given<O> {
    try {
      return parseArgs({ options, args: [...args], allowPositionals });
    } catch (error) {
      throw new WrongUsage(error instanceof Error ? error.message : String(error));
    }
  }

  return {
    summary,
    usage,
    help: text,
    options: Object.keys(options),
    async run(args) {
      const { values } = parseArgs({ options: HELP, args: [...args], strict: false });
      if (values.help) return void process.stdout.write(`${text}\n`);
      try {
        await command.run(parsed(args));
      } catch (error) {
        if (!(error instanceof WrongUsage)) throw error;
        throw new Refused(`${error.message}\n\n${text}`);
      }
    },
  };
}
