/** What a completion script has to know of a command line. */

export interface DescribedOption {
  /** Without dashes: one letter has one, the others have two. */
  readonly names: readonly string[];
  readonly description: string;
  readonly takesValue: boolean;
  /** The values there are; none, where a value is a file or anything. */
  readonly choices: readonly string[];
}

export interface DescribedCommand {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly options: readonly DescribedOption[];
  /** What its first operand may be; files, if nothing is said. */
  readonly operands?: readonly string[];
}

export interface CommandLineDescription {
  readonly program: string;
  readonly commands: readonly DescribedCommand[];
  /** Of a program that works without a command; these stand where no command does. */
  readonly options: readonly DescribedOption[];
}
