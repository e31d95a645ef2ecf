// Run by compose's service `secrets` before the router starts: `make-secrets.js FILE…` gives each file that is not there a
// random token, and leaves the others' content as it is. A file belongs to the owner of its folder and to the images'
// group, and only these two may read it: so whoever checked the project out can use the token, and the router can.
import { randomBytes } from "node:crypto";
import { chmodSync, chownSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** The group `node` of the images. */
const GROUP = 1000;

/** Makes the file whole or not at all, and never replaces one, however many run at once. */
function makeIfAbsent(file) {
  const part = `${file}.${process.pid}.part`;
  writeFileSync(part, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  try {
    linkSync(part, file);
    console.log(`${file} was made.`);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  } finally {
    rmSync(part);
  }
}

function share(file) {
  const folder = dirname(file);
  const { uid } = statSync(folder);
  chownSync(folder, uid, GROUP);
  chmodSync(folder, 0o750);
  chownSync(file, uid, GROUP);
  chmodSync(file, 0o640);
}

try {
  for (const file of process.argv.slice(2)) {
    makeIfAbsent(file);
    share(file);
    if (readFileSync(file, "utf8").trim() === "") throw new Error(`${file} is empty: expected a token in it`);
  }
} catch (error) {
  console.error(`make-secrets: ${error.message}.`);
  process.exitCode = 1;
}
