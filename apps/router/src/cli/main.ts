import { endQuietlyOnBrokenPipe } from "./output.ts";
import { runCommand } from "./run-command.ts";

endQuietlyOnBrokenPipe();
const code = await runCommand(process.argv.slice(2));
if (code !== 0) process.exitCode = code;
