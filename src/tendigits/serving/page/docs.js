// The API's page, made from openapi.json; nothing of it comes from elsewhere.

import { element } from "/page/result.js";

const api = await (await fetch("/openapi.json")).json();
const groups = new Map();
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const tag = operation.tags?.[0] ?? "other";
    groups.set(tag, [...(groups.get(tag) ?? []), describe(method, path, operation)]);
  }
}
const order = [...groups].sort(([first], [second]) => (second === "reading") - (first === "reading"));
document.getElementById("operations").replaceChildren(
  ...order.flatMap(([tag, parts]) => [
    element("h2", { textContent: tag[0].toUpperCase() + tag.slice(1) }),
    ...parts,
  ]),
);

function describe(method, path, operation) {
  const types = Object.keys(operation.requestBody?.content ?? {});
  const rows = (operation.parameters ?? []).map((parameter) => [
    parameter.name,
    [parameter.description, defaultOf(parameter.schema)].filter(Boolean).join(" "),
  ]);
  if (types.length) rows.push(["body", types.join(", ")]);
  return element("article", {}, [
    element("h3", {}, [
      element("span", { className: "method", textContent: method.toUpperCase() }),
      element("code", { textContent: path }),
    ]),
    element("p", {}, withCode(operation.description ?? operation.summary)),
    ...(rows.length ? [element("table", {}, rows.map(row))] : []),
    element("pre", { textContent: command(method, path, types) }),
  ]);
}

// Words between back quotes are code.
function withCode(words) {
  return words
    .split("`")
    .map((part, place) => (place % 2 ? element("code", { textContent: part }) : part));
}

function row([name, words]) {
  return element("tr", {}, [
    element("td", {}, [element("code", { textContent: name })]),
    element("td", { textContent: words }),
  ]);
}

function defaultOf(schema) {
  return schema?.default === undefined || schema.default === null ? "" : `Default: ${schema.default}.`;
}

function command(method, path, types) {
  if (method === "get") return `curl ${location.origin}${path}`;
  if (!types.length) return `curl -X ${method.toUpperCase()} ${location.origin}${path}`;
  const [type] = types;
  const name = type === "application/zip" ? "mail.zip" : type.startsWith("image/") ? "digits.png" : "body.json";
  return `curl -H 'Content-Type: ${type}' --data-binary @${name} ${location.origin}${path}`;
}
