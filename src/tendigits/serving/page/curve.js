// The slider: how sure is sure enough, and what that costs on the test digits.

import { percent } from "/page/result.js";

const byId = (id) => document.getElementById(id);
const WIDTH = 440;
const HEIGHT = 170;
const LEFT = 44; // pixels for the labels of the axis
const BOTTOM = 34;
const USUAL = 0.05; // chance of being wrong: what the service itself takes
const MOST_WORK = 0.3; // of the digits: beyond that nobody would set it

export class Threshold {
  constructor(onChange) {
    this.slider = byId("threshold");
    this.points = [];
    this.slider.addEventListener("input", () => {
      this.show();
      onChange();
    });
  }

  async load() {
    const content = await (await fetch("/page/curve.json")).json();
    this.points = content.thresholds;
    this.content = content;
    this.slider.max = this.points.length - 1;
    const far = this.points.map((point) => Math.abs(Math.log(point.reject_above / USUAL)));
    this.slider.value = far.indexOf(Math.min(...far));
    this.#drawCurve();
    this.show();
  }

  get rejectAbove() {
    return this.points[this.slider.value]?.reject_above ?? 0.05;
  }

  show() {
    const point = this.points[this.slider.value];
    const value = percentFine(point.reject_above);
    byId("threshold-value").textContent = value;
    this.slider.setAttribute("aria-valuetext", value);
    byId("error").textContent = point.error === null ? "–" : percent(point.error, 2);
    byId("work").textContent = percent(point.rejected, 1);
    const { count, model, version } = this.content;
    byId("curve-note").textContent =
      `${point.errors} wrong of ${group(point.accepted)} accepted, on MNIST's ${group(count)} test ` +
      `digits, read by ${model} ${version} as this page reads.` +
      (point.interval
        ? ` The true share lies in ${percent(point.interval[0], 2)} to ${percent(point.interval[1], 2)} with 95\u00a0% confidence.`
        : "");
    this.#mark(point);
  }

  #drawCurve() {
    const shown = this.points.filter((point) => point.rejected <= MOST_WORK);
    this.mostError = Math.max(...shown.map((point) => point.error)) * 1.1 || 0.01;
    const line = shown.map((point) => this.#place(point).map((each) => each.toFixed(1)).join(","));
    const base = HEIGHT - BOTTOM;
    const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" });
    svg.append(
      make("line", { class: "axis", x1: LEFT, y1: base, x2: WIDTH, y2: base }),
      make("line", { class: "axis", x1: LEFT, y1: 4, x2: LEFT, y2: base }),
      ...[0, 0.1, 0.2, 0.3].map((work) => {
        const [x] = this.#place({ rejected: work, error: 0 });
        const label = make("text", { x, y: base + 16, "text-anchor": work < 0.3 ? "middle" : "end" });
        label.textContent = percent(work, 0);
        return label;
      }),
      ...[0, this.mostError / 1.1].map((error) => {
        const [, y] = this.#place({ rejected: 0, error });
        const label = make("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" });
        label.textContent = percent(error, error ? 2 : 0);
        return label;
      }),
      make("polyline", { class: "line", points: line.join(" ") }),
    );
    const work = make("text", { x: (LEFT + WIDTH) / 2, y: HEIGHT - 3, "text-anchor": "middle" });
    work.textContent = "go to a person";
    const error = make("text", { x: LEFT + 8, y: 12 });
    error.textContent = "of the accepted are wrong";
    this.guide = make("line", { class: "guide", y2: base });
    this.dot = make("circle", { class: "dot", r: 5 });
    svg.append(work, error, this.guide, this.dot);
    byId("curve").replaceChildren(svg);
  }

  #mark(point) {
    const [x, y] = this.#place({ rejected: point.rejected, error: point.error ?? 0 });
    for (const [name, value] of Object.entries({ cx: x, cy: y })) this.dot.setAttribute(name, value);
    for (const [name, value] of Object.entries({ x1: x, x2: x, y1: y })) {
      this.guide.setAttribute(name, value);
    }
  }

  #place({ rejected, error }) {
    return [
      LEFT + (WIDTH - LEFT) * Math.min(rejected / MOST_WORK, 1),
      4 + (HEIGHT - BOTTOM - 4) * (1 - error / this.mostError),
    ];
  }
}

function make(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

const percentFine = (share) => percent(share, share < 0.001 ? 3 : share < 0.01 ? 2 : share < 0.1 ? 1 : 0);
const group = (count) => count.toLocaleString("en");
