// Plots of measurements as SVG text, drawn by echarts without a browser.
import * as echarts from 'echarts';

const palette = ['#3f9c6b', '#5b7c99', '#e07a3f', '#a05195'];

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Lines over a logarithmic axis, on which every step of a tile near zero and far from it can be seen. */
export function linePlot(title: string, xName: string, yName: string, lines: readonly Line[]): string {
  return render(
    {
      ...common(title),
      xAxis: { type: 'log', logBase: 2, name: xName, nameLocation: 'middle', nameGap: 28 },
      yAxis: { type: 'value', name: yName, min: 0 },
      series: lines.map((line) => ({
        type: 'line' as const,
        name: line.name,
        data: line.points.map(([x, y]) => [x, y]),
        symbolSize: 4,
      })),
    },
    900,
    420,
  );
}

/** Groups of bars with their names below, turned. */
export function barPlot(
  title: string,
  yName: string,
  categories: readonly string[],
  series: readonly { readonly name: string; readonly values: readonly number[] }[],
): string {
  return render(
    {
      ...common(title),
      grid: { left: 60, right: 20, top: 60, bottom: 150 },
      xAxis: { type: 'category', data: [...categories], axisLabel: { interval: 0, rotate: 60, fontSize: 10 } },
      yAxis: { type: 'value', name: yName, min: 0 },
      series: series.map((s) => ({ type: 'bar' as const, name: s.name, data: [...s.values] })),
    },
    Math.max(600, 120 + 28 * categories.length),
    480,
  );
}

function common(title: string): echarts.EChartsOption {
  return {
    title: { text: title, textStyle: { fontSize: 13 } },
    color: palette,
    backgroundColor: '#ffffff',
    legend: { top: 24 },
    grid: { left: 60, right: 20, top: 60, bottom: 50 },
  };
}

function render(option: echarts.EChartsOption, width: number, height: number): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ ...option, animation: false });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
