// What the commands need to talk to the user, as an interface, so that forms and commands can be read and tested
// without the editor. How a question looks on the screen is for `vscodeUi.ts` to know.

export type TextQuestion = {
  /** The name of the field as the core calls it in a refusal. */
  readonly field: string;
  readonly title: string;
  readonly prompt: string;
  readonly placeholder?: string;
  readonly value?: string;
  /** Typed hidden, as a password. */
  readonly secret?: boolean;
  /** Not asked when what was answered before makes it idle. */
  readonly idle?: (answers: ReadonlyMap<string, string>) => boolean;
};

export type Choice<T> = {
  readonly label: string;
  readonly description?: string;
  readonly detail?: string;
  readonly value: T;
};

export type Progress = {
  /** How far it is, in a few words. */
  say(words: string): void;
  readonly signal: AbortSignal;
};

export type Ui = {
  /** Undefined when the user lets go. `problem` is what was wrong with `question.value`. */
  askText(question: TextQuestion, step: string, problem?: string): Promise<string | undefined>;
  pick<T>(title: string, choices: readonly Choice<T>[]): Promise<T | undefined>;
  /** True only when the user pressed the button named `action`. */
  confirm(message: string, detail: string, action: string): Promise<boolean>;
  /** A dialog with several ways on; gives the one pressed. */
  choose(message: string, detail: string, ...actions: string[]): Promise<string | undefined>;
  /** A notification with buttons; gives the one pressed. */
  tell(level: "info" | "warning" | "error", message: string, ...actions: string[]): Promise<string | undefined>;
  /** A line that goes away by itself. */
  mention(message: string): void;
  copy(text: string): Promise<void>;
  /** What is in the clipboard. */
  pasted(): Promise<string>;
  /** A new unsaved document in an editor. */
  showDocument(language: "markdown", text: string): Promise<void>;
  /** Shows how far work is; the user may stop it, which is told by `signal`: the work ends then by itself. */
  progress<T>(title: string, work: (progress: Progress) => Promise<T>): Promise<T>;
  /** Shows that work is under way until it ends. */
  busy<T>(title: string, work: () => Promise<T>): Promise<T>;
};
