// Draws the pictures with the plotly.js that this file carries. Without it, the tables below them are opened.
(async () => {
  const specs = JSON.parse(document.getElementById("specs").textContent);
  const plots = Object.keys(specs).map((name) => document.getElementById(`plot-${name}`));
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const ink = { text: "#000", soft: "#444", edge: "#bbb", grid: "#ddd", panel: "#fff" };
  let paper = false;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => (paper ? ink[name] : style.getPropertyValue(`--${name}`).trim());

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  function themed(spec) {
    const layout = structuredClone(spec.layout);
    const narrow = !paper && innerWidth < 640;
    if (paper) layout.width = 640;
    layout.font = { color: colour("text"), family: getComputedStyle(document.body).fontFamily, size: narrow ? 11 : 13 };
    for (const key of ["xaxis", "yaxis"]) {
      if (layout[key]) Object.assign(layout[key], { gridcolor: colour("grid"), linecolor: colour("edge"), fixedrange: true });
    }
    for (const shape of layout.shapes || []) shape.line.color = colour("soft");
    layout.hoverlabel = { ...layout.hoverlabel, bgcolor: colour("panel"), bordercolor: colour("edge"), font: { color: colour("text") } };
    return layout;
  }

  const draw = () => Promise.all(plots.map((plot) => {
    const spec = specs[plot.id.slice("plot-".length)];
    return Plotly.newPlot(plot, spec.data, themed(spec), { displayModeBar: false, responsive: true });
  }));

  try {
    document.documentElement.dataset.drawing = "yes";
    const script = document.createElement("script");
    script.textContent = await unpack(document.getElementById("plotly").textContent);
    document.head.append(script);
    await draw();
    dark.addEventListener("change", draw);
    addEventListener("beforeprint", () => { paper = true; draw(); });
    addEventListener("afterprint", () => { paper = false; draw(); });
  } catch (error) {
    console.warn("The pictures could not be drawn; their values are in the tables.", error);
    delete document.documentElement.dataset.drawing;
    document.querySelectorAll("figure details").forEach((details) => { details.open = true; });
  }
  document.documentElement.dataset.drawn = "yes";
})();
