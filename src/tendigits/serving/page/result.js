// What was read: the text, the decision, and for the chosen digit all that the network saw.

const MAP_ROWS = 3;
const byId = (id) => document.getElementById(id);

export function percent(share, digits = 1) {
  return `${(100 * share).toFixed(digits)}\u00a0%`;
}

export function makeBars() {
  for (let digit = 0; digit < 10; digit += 1) {
    const item = element("li", {}, [
      element("span", { textContent: digit }),
      element("span", { className: "track" }, [element("span", { className: "fill" })]),
      element("span", { className: "percent" }),
    ]);
    item.querySelector(".fill").style.display = "block";
    byId("bars").append(item);
  }
}

export function element(name, properties = {}, children = []) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export const digitsOf = (page) => page.fields.flatMap((field) => field.digits);

export function showText(page) {
  const text = byId("text");
  text.textContent = page?.text || "\u00a0";
  text.classList.toggle("long", (page?.text.length ?? 0) > 9);
  const decision = byId("decision");
  decision.dataset.state = !page ? "none" : page.accepted ? "accepted" : "person";
  decision.replaceChildren(...wordsOf(page));
}

function wordsOf(page) {
  if (!page) return ["Nothing is on the sheet yet."];
  const strong = (words) => element("strong", { textContent: words });
  if (!page.fields.length) return [strong("No digit found"), ": this would go to a person."];
  const sure = percent(Math.min(...page.fields.map((field) => field.confidence)));
  if (page.accepted) return [strong("Accepted"), `, ${sure} sure.`];
  const reasons = page.fields.flatMap((field) => field.reasons).join("; ");
  return [strong("To a person"), `: ${reasons}.`];
}

export function spoken(page) {
  if (!page) return "The sheet is empty.";
  return `${page.text ? `Reads ${[...page.text].join(" ")}. ` : ""}${byId("decision").textContent}`;
}

export function showDigits(page, chosen, choose) {
  const group = byId("digits");
  const digits = page ? digitsOf(page) : [];
  const held = group.contains(document.activeElement);
  group.replaceChildren(
    ...digits.map((digit, place) => {
      const button = element("button", { type: "button", textContent: digit.text });
      button.setAttribute("role", "radio");
      button.setAttribute("aria-checked", String(place === chosen));
      button.setAttribute("aria-label", `${digit.text}, ${percent(digit.confidence)} sure`);
      button.tabIndex = place === chosen ? 0 : -1;
      button.classList.toggle("doubtful", !digit.accepted);
      button.addEventListener("click", () => choose(place));
      return button;
    }),
  );
  if (held) group.children[chosen]?.focus();
}

export function showBoxes(page, place, chosen, sheetHeight) {
  const boxes = place && page ? digitsOf(page) : [];
  byId("boxes").replaceChildren(
    ...boxes.map((digit, number) => {
      const [left, top, right, bottom] = digit.box;
      const box = element("div", { className: "box" }, [
        element("span", { textContent: digit.text }),
      ]);
      const y = place.y + top / place.scale;
      box.classList.toggle("chosen", number === chosen);
      box.classList.toggle("doubtful", !digit.accepted);
      box.classList.toggle("low", y < 0.05);
      Object.assign(box.style, {
        left: `${100 * (place.x + left / place.scale)}%`,
        top: `${(100 * y) / sheetHeight}%`,
        width: `${(100 * (right - left)) / place.scale}%`,
        height: `${(100 * (bottom - top)) / place.scale / sheetHeight}%`,
      });
      return box;
    }),
  );
}

export function showDigit(page, chosen) {
  const digit = page ? digitsOf(page)[chosen] : undefined;
  const chances = Array(10).fill(0);
  for (const each of digit ? [digit, ...digit.alternatives] : []) chances[each.text] = each.confidence;
  [...byId("bars").children].forEach((item, number) => {
    item.querySelector(".fill").style.transform = `scaleX(${chances[number]})`;
    item.querySelector(".percent").textContent = digit ? percent(chances[number]) : "";
    item.classList.toggle("best", digit?.text === String(number));
  });
  byId("seen").parentElement.classList.toggle("none", !digit);
  const maps = digit && page.feature_maps; // a network without convolutions has none
  byId("maps").parentElement.classList.toggle("none", !maps);
  for (const id of ["seen", "maps"]) byId(id).width = byId(id).width; // empties it
  if (digit) paint(byId("seen"), bytes(digit.seen), 28, 28);
  if (maps) showMaps(bytes(maps.digits[chosen]), maps);
}

// All maps side by side in three rows, a pixel of nothing between them.
function showMaps(values, { count, height, width }) {
  const across = Math.ceil(count / MAP_ROWS);
  const wide = across * (width + 1) - 1;
  const high = MAP_ROWS * (height + 1) - 1;
  const pixels = Array(wide * high).fill(null);
  for (let map = 0; map < count; map += 1) {
    const left = (map % across) * (width + 1);
    const top = Math.floor(map / across) * (height + 1);
    for (let row = 0; row < height; row += 1) {
      const start = (map * height + row) * width;
      for (let column = 0; column < width; column += 1) {
        pixels[(top + row) * wide + left + column] = brighten(values[start + column]);
      }
    }
  }
  paint(byId("maps"), pixels, wide, high);
  byId("maps-caption").textContent =
    `First layer: what each of its ${count} filters finds, ${height} × ${width}`;
}

function paint(canvas, values, width, height) {
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  values.forEach((value, place) => {
    if (value !== null) image.data.set([value, value, value, 255], 4 * place);
  });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Weak answers are shown stronger than they are, as a screen's gamma would, to be seen at all.
const brighten = (value) => 255 * Math.sqrt(value / 255);

function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}
