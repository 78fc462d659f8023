/* Gives a hands-on figure (rnncourse/handson.py) its slider: one image a position, one shown at a time. */
document.querySelectorAll("figure.hands-on").forEach((figure, number) => {
  const frames = [...figure.querySelectorAll("img")].sort((a, b) => a.dataset.position - b.dataset.position);
  const start = figure.querySelector(":scope > img");
  const label = document.createElement("label");
  const slider = document.createElement("input");
  const value = document.createElement("output");
  slider.type = "range";
  slider.min = 0;
  slider.max = frames.length - 1;
  slider.value = start.dataset.position;
  slider.id = `hands-on-${number + 1}`;
  value.htmlFor = slider.id;
  label.append(`${figure.dataset.label}: `, value, slider);

  const show = () => {
    frames.forEach((frame, k) => (frame.hidden = k !== +slider.value));
    const text = frames[slider.value].dataset.value.replace("-", "−");
    value.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  };
  figure.querySelector("details").remove();
  figure.prepend(label, ...frames);
  slider.addEventListener("input", show);
  show();
});
