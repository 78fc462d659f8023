/* What a reader meets on the open page, as data. Run inside the page with a list of names; returns these facts. */
const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const remembered = (compute, memory = new Map()) => (key) => {
  if (!memory.has(key)) memory.set(key, compute(key));
  return memory.get(key);
};
const numbers = remembered((color) => {
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = color;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
});
const over = ([r, g, b, a], [R, G, B]) => [a * r + (1 - a) * R, a * g + (1 - a) * G, a * b + (1 - a) * B, 1];
const behind = remembered((element) =>
  element ? over(numbers(getComputedStyle(element).backgroundColor), behind(element.parentElement)) : [255, 255, 255, 1],
);
const luminance = (color) =>
  color.slice(0, 3).reduce((sum, value, k) => {
    const v = value / 255;
    return sum + [0.2126, 0.7152, 0.0722][k] * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  }, 0);
const contrast = (element) => {
  const ground = behind(element);
  const ink = over(numbers(getComputedStyle(element).color), ground);
  const [low, high] = [luminance(ink), luminance(ground)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
const name = (element) => `${element.tagName.toLowerCase()}.${[...element.classList].join(".")}`;
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const article = document.querySelector("article") ?? document.body;
const drawings = "article .cell_output img, article figure img";
const box = (element) => {
  const { left, top, right, bottom } = element.getBoundingClientRect();
  return [left + scrollX, top + scrollY, right + scrollX, bottom + scrollY];
};
const texts = () => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (text && !element.closest("script, style, noscript, mjx-assistive-mml") && seen(element)) found.push({ text, element });
  }
  return found;
};

const facts = {
  text: () => article.innerText,
  description: () => document.querySelector("meta[name=description]")?.content ?? "",
  scripts: () => [...document.scripts].map((script) => script.src),
  theme: () => document.documentElement.dataset.theme,
  formulas: () => all(".math", article).length,
  untypeset: () => all(".math", article).filter((e) => !e.querySelector("mjx-container")).map((e) => e.textContent),
  mathErrors: () => all("mjx-merror, [data-mjx-error]").map((e) => e.textContent),
  rawMath: () =>
    texts()
      .filter(({ text, element }) => !element.closest("pre, code") && /\\\(|\\\[|\$\$/.test(text))
      .map(({ text }) => text),
  scrollbars: () => all("span.math").filter((e) => e.clientHeight > 0 && e.offsetHeight > e.clientHeight).map((e) => e.textContent),
  faint: () => {
    const found = new Set();
    for (const { text, element } of texts()) {
      const style = getComputedStyle(element);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
      const ratio = contrast(element);
      if (ratio < (large ? 3 : 4.5)) found.add(`${name(element)} ${ratio.toFixed(2)}: ${text.slice(0, 40)}`);
    }
    return [...found];
  },
  withoutAlt: () => [...document.images].filter((image) => !image.alt.trim()).map((image) => image.src),
  withoutCaption: () =>
    all(".cell_output img", article).filter((i) => !i.closest("figure")?.querySelector("figcaption")).map((i) => i.src),
  broken: () => [...document.images].filter((image) => image.complete && !image.naturalWidth).map((image) => image.src),
  headings: () => all("h1, h2, h3, h4, h5, h6", article).filter(seen).map((h) => Number(h.tagName[1])),
  unnamed: () =>
    all("a[href], button, input, summary")
      .filter(seen)
      .filter((e) => !(e.innerText || e.ariaLabel || e.title || e.placeholder || e.labels?.[0]?.innerText || e.querySelector("img[alt]")))
      .map((e) => e.outerHTML.slice(0, 120)),
  moving: () =>
    all("*")
      .filter((e) => {
        const style = getComputedStyle(e);
        const longest = (list) => Math.max(...list.split(",").map(parseFloat));
        return longest(style.transitionDuration) > 0.01 || longest(style.animationDuration) > 0.01 || style.scrollBehavior === "smooth";
      })
      .map(name),
  width: () => document.documentElement.scrollWidth,
  size: () => ({ width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight }),
  handsOn: () =>
    all("figure.hands-on").map((figure) => ({
      sliders: all("input[type=range]", figure).filter(seen).map(box),
      shown: all("img", figure).filter(seen).map(box),
    })),
  drawings: () => all(drawings).filter(seen).map((image) => ({ alt: image.alt, box: box(image) })),
  /* Takes everything else off the page and shows a hands-on figure's every position. */
  onlyDrawings: () => {
    all(".hands-on img").forEach((image) => (image.hidden = false));
    const kept = new Set();
    for (let e of all(drawings)) for (; e; e = e.parentElement) kept.add(e);
    for (const parent of kept)
      for (const child of parent.children) if (!kept.has(child)) child.style.setProperty("display", "none", "important");
  },
};
return Object.fromEntries(arguments[0].map((wanted) => [wanted, facts[wanted]()]));
