import { sluiceTests } from "../vitest.shared.ts";

export default sluiceTests("deploy");
