import { expect, it } from "vitest";
import { testPlane } from "../../test/support/plane.ts";
import { send } from "../../test/support/requests.ts";

const { plane } = testPlane({ blue: { weight: 1, targets: [] } });
const idOf = (told: string) => send(plane, { headers: { "x-request-id": told } }).exchange.id;

it.each(["7", "a-b_c.d:e/f+g=~", "x".repeat(128), "01890a5d-ac96-774b-bcce-b302099a8057"])(
  "keeps a client's request id that is well formed: %s",
  (id) => expect(idOf(id)).toBe(id),
);

it.each(["", " ", "a b", "a,b", 'a"', "a\n", "ü", "x".repeat(129), "<script>"])(
  "makes a new one instead of %j",
  (id) => expect(idOf(id)).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/),
);
