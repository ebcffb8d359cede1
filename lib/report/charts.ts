// Charts as SVG text, drawn by echarts without a browser.
import * as echarts from 'echarts';
import type { Markup } from './html.ts';

const palette = ['#5b7c99', '#e07a3f', '#3f9c6b', '#a05195'];

/** Named groups of bars over the same categories. */
export interface BarSeries {
  readonly name: string;
  readonly values: readonly number[];
}

/** Upright bars, one group a category. */
export function barChart(
  title: string,
  categories: readonly string[],
  series: readonly BarSeries[],
  unit: string,
): Markup {
  return render(
    {
      title: { text: title, textStyle: { fontSize: 14 } },
      color: palette,
      legend: { top: 24, show: series.length > 1 },
      grid: { left: 70, right: 20, top: series.length > 1 ? 60 : 40, bottom: 50 },
      xAxis: { type: 'category', data: [...categories], axisLabel: { interval: 0 } },
      yAxis: { type: 'value', name: unit },
      series: series.map((s) => ({
        type: 'bar' as const,
        name: s.name,
        data: [...s.values],
        label: {
          show: s.values.length <= 8,
          position: 'top' as const,
          formatter: (p: { value: unknown }) => shortNumber(Number(p.value)),
        },
      })),
    },
    560,
    320,
  );
}

function shortNumber(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function render(option: echarts.EChartsOption, width: number, height: number): Markup {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ ...option, animation: false });
    return { html: chart.renderToSVGString() };
  } finally {
    chart.dispose();
  }
}
