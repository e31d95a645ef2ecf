/** Something the user can mend. The message is one clear sentence; the command prints it and exits with 2. */
export class InputProblem extends Error {
  override readonly name = "InputProblem";
}
