import { baseline } from "./baseline.ts";
import { full } from "./full/index.ts";
import type { Recipe } from "./recipe.ts";

/** Every recipe by name; an artifact names the one that it was fitted with. */
export const recipes: Readonly<Record<string, Recipe>> = { baseline, full };

export function findRecipe(name: string): Recipe | undefined {
  return Object.hasOwn(recipes, name) ? recipes[name] : undefined;
}
