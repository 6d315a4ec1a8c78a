/**
 * A value that a JSON Schema allows, always the same for the same schema: what the simulated model says when it is asked
 * for JSON. Knows JSON Schema as far as clients' libraries write it, and nothing of requests.
 */

/** Deep enough for any schema of a test, and an end for those that contain themselves. */
const DEEPEST = 8;

/**
 * @param {any} schema
 * @param {{root?: any, name?: string, depth?: number}} [place]
 * @returns {any}
 */
export function sample(schema, { root = schema, name = "value", depth = 0 } = {}) {
  const inside = (/** @type {any} */ inner, inName = name) => sample(inner, { root, name: inName, depth: depth + 1 });
  if (typeof schema !== "object" || schema === null || depth > DEEPEST) return null;
  if (schema.$ref) return inside(resolve(root, schema.$ref));
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [either] = schema.anyOf ?? schema.oneOf ?? [];
  if (either) return inside(either);
  if (schema.allOf) return Object.assign({}, ...schema.allOf.map((/** @type {any} */ one) => inside(one)));
  const types = [schema.type].flat().map((type) => String(type ?? "object").toLowerCase());
  switch (types[0]) {
    case "object": {
      const members = Object.entries(schema.properties ?? {});
      return Object.fromEntries(members.map(([member, inner]) => [member, inside(inner, member)]));
    }
    case "array":
      return [inside(schema.items ?? { type: "string" })];
    case "integer":
      return schema.minimum ?? 7;
    case "number":
      return schema.minimum ?? 7.5;
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return `a ${name}`;
  }
}

/** @param {any} root @param {string} pointer such as `#/$defs/Step` */
function resolve(root, pointer) {
  const names = pointer.split("/").slice(1);
  return names.reduce((at, name) => at?.[name.replaceAll("~1", "/").replaceAll("~0", "~")], root);
}
