// The sheet: strokes that are drawn, or a picture that is shown, and what of it is sent.

const PEN = 0.06; // of the sheet's height: a tenth of a digit that is as high as most are drawn, as in MNIST
const SENT_HEIGHT = 64; // pixels of the ink that is sent: more is slower and reads no better
const LEAST_PENS = 3; // widths of the pen that ink is taken to be high, at least
const MARGIN = 0.35; // of the ink's height: white around it, from which the ground is told
const STEP = 14; // pixels that an arrow key moves the pen

export class Sheet {
  constructor(canvas, onChange) {
    this.canvas = canvas;
    this.onChange = onChange;
    this.strokes = []; // lists of [x, y], as shares of the sheet's width
    this.picture = null; // { blob, bitmap }
    this.current = null;
    this.pointer = null; // the finger, pen or mouse that draws: another one is a palm
    this.cursor = null; // where the keyboard's pen is
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(name, (event) => this.#up(event));
    }
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#hideCursor());
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  get isEmpty() {
    return !this.picture && this.strokes.length === 0;
  }

  undo() {
    this.picture ? (this.picture = null) : this.strokes.pop();
    this.current = null;
    this.#changed();
  }

  clear() {
    this.strokes = [];
    this.picture = this.current = null;
    this.#changed();
  }

  async show(blob) {
    // A picture that only the service can decode, such as TIFF, is read but not shown.
    const bitmap = await createImageBitmap(blob).catch(() => null);
    this.strokes = [];
    this.current = null;
    this.picture = { blob, bitmap };
    this.#changed();
  }

  // What to send, and where its pixels lie on the sheet, in shares of the sheet's width.
  async content() {
    if (this.picture) return { blob: this.picture.blob, place: this.#placeOfPicture() };
    const points = this.strokes.flat();
    const pen = PEN * this.#height;
    const [left, right] = [Math.min(...points.map((p) => p[0])), Math.max(...points.map((p) => p[0]))];
    const [top, bottom] = [Math.min(...points.map((p) => p[1])), Math.max(...points.map((p) => p[1]))];
    // A dot is sent as one: enlarged to a digit's height, it would be a disc with an edge, like a 0.
    const high = Math.max(bottom - top, (right - left) / 6, LEAST_PENS * pen) + pen;
    const margin = MARGIN * high;
    const scale = SENT_HEIGHT / high;
    const x = left - pen / 2 - margin;
    const y = top - pen / 2 - margin;
    const page = document.createElement("canvas");
    page.width = Math.ceil(scale * (right - left + pen + 2 * margin));
    page.height = Math.ceil(scale * (bottom - top + pen + 2 * margin));
    const context = page.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, page.width, page.height);
    context.setTransform(scale, 0, 0, scale, -x * scale, -y * scale);
    ink(context, this.strokes, "#000", pen);
    const blob = await new Promise((done) => page.toBlob(done, "image/png"));
    return { blob, place: { x, y, scale } };
  }

  draw() {
    const width = Math.round(this.canvas.clientWidth * devicePixelRatio);
    const height = Math.round(this.canvas.clientHeight * devicePixelRatio);
    if (this.canvas.width !== width || this.canvas.height !== height) {
      Object.assign(this.canvas, { width, height });
    }
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    context.setTransform(width, 0, 0, width, 0, 0);
    if (this.picture?.bitmap) {
      const { x, y, scale } = this.#placeOfPicture();
      const { bitmap } = this.picture;
      context.drawImage(bitmap, x, y, bitmap.width / scale, bitmap.height / scale);
    }
    const style = getComputedStyle(this.canvas);
    ink(context, this.strokes, style.color, PEN * this.#height);
    if (this.cursor) {
      context.strokeStyle = style.getPropertyValue("--accent");
      context.lineWidth = 2 / this.canvas.clientWidth;
      context.beginPath();
      context.arc(...this.cursor, (PEN * this.#height) / 1.5, 0, 2 * Math.PI);
      context.stroke();
      if (this.current) {
        context.fillStyle = context.strokeStyle;
        context.fill();
      }
    }
  }

  get #height() {
    return this.canvas.clientHeight / this.canvas.clientWidth;
  }

  #placeOfPicture() {
    const { bitmap } = this.picture;
    if (!bitmap) return null;
    const scale = Math.max(bitmap.width, bitmap.height / this.#height);
    return {
      x: (1 - bitmap.width / scale) / 2,
      y: (this.#height - bitmap.height / scale) / 2,
      scale,
    };
  }

  #changed() {
    this.draw();
    this.onChange();
  }

  #point(event) {
    const area = this.canvas.getBoundingClientRect();
    return [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.width];
  }

  #begin(point) {
    this.picture = null;
    this.current = [point];
    this.strokes.push(this.current);
    this.#changed();
  }

  #down(event) {
    const { button, pointerId, pointerType } = event;
    const isOther = this.pointer !== null && this.pointer !== pointerId;
    if (button !== 0 || (isOther && pointerType === "touch")) return;
    if (isOther && this.current) this.strokes.pop(); // what rested there was the hand that holds the pen
    this.pointer = pointerId;
    this.canvas.setPointerCapture(pointerId);
    this.cursor = null;
    this.#begin(this.#point(event));
  }

  #move(event) {
    if (event.pointerId !== this.pointer || !this.current || this.cursor) return;
    const parts = event.getCoalescedEvents?.() ?? [];
    for (const part of parts.length ? parts : [event]) this.current.push(this.#point(part));
    this.#changed();
  }

  #up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    if (!this.cursor) this.current = null;
  }

  #hideCursor() {
    this.cursor = this.current = null;
    this.draw();
  }

  #key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.altKey) return;
    if (event.key.toLowerCase() === "z") {
      this.undo();
    } else if (event.ctrlKey || event.metaKey) {
      return;
    } else if (event.key === "Delete" || event.key === "Backspace") {
      this.clear();
    } else if (event.key === " " || event.key === "Enter") {
      this.cursor ??= [0.5, this.#height / 3];
      if (this.current) {
        this.current = null;
        this.draw();
      } else {
        this.#begin([...this.cursor]);
      }
    } else if (moves[event.key]) {
      const step = (event.shiftKey ? STEP / 4 : STEP) / this.canvas.clientWidth;
      const [x, y] = this.cursor ?? [0.5, this.#height / 3];
      const [dx, dy] = moves[event.key];
      this.cursor = [clamp(x + step * dx, 1), clamp(y + step * dy, this.#height)];
      this.current?.push([...this.cursor]);
      this.current ? this.#changed() : this.draw();
    } else {
      return;
    }
    event.preventDefault();
  }
}

function clamp(value, most) {
  return Math.min(Math.max(value, 0), most);
}

function ink(context, strokes, colour, width) {
  Object.assign(context, { strokeStyle: colour, lineWidth: width, lineCap: "round", lineJoin: "round" });
  for (const stroke of strokes) {
    context.beginPath();
    context.moveTo(...stroke[0]);
    // A curve through the middles between points is as smooth as the hand was.
    for (let place = 1; place < stroke.length - 1; place += 1) {
      const [x, y] = stroke[place];
      const [nextX, nextY] = stroke[place + 1];
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
    }
    context.lineTo(...stroke.at(-1));
    context.stroke();
  }
}
