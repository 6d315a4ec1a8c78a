// The overview: what the last hour was like and who bore it. It turns the snapshot's minutes and figures into charts,
// and draws only when they have changed: snapshots come several times a second, minutes do not.

import * as l10n from "@vscode/l10n";
import { css, html, LitElement } from "lit";
import type { FiguresView, KeyView, OverviewView, ProxyView, RotatingView } from "../../../native/addon/types.gen";
import { shared } from "../styles/shared";
import { chartStyles } from "./chart";
import { hourCharts } from "./hourCharts";
import { hourTable, unseen } from "./hourTable";
import { type Series, seriesOf, totalsOf } from "./series";
import { shareBars, shareStyles } from "./shareBars";
import { attemptsOf, type Shares, sharesOf } from "./shares";

type Drawn = { readonly series: Series; readonly keys: Shares; readonly proxies: Shares };

export class OverviewCharts extends LitElement {
  static override properties = {
    overview: { attribute: false },
    keys: { attribute: false },
    proxies: { attribute: false },
    rotating: { attribute: false },
    direct: { attribute: false },
    now: { attribute: false },
  };
  static override styles = [
    shared,
    chartStyles,
    shareStyles,
    unseen,
    css`
      :host {
        position: relative;
      }
      .charts {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(240px, 100%), 1fr));
        gap: 18px 26px;
      }
      .who {
        grid-template-columns: repeat(auto-fit, minmax(min(320px, 100%), 1fr));
        margin-top: 18px;
      }
    `,
  ];
  declare overview: OverviewView;
  declare keys: readonly KeyView[];
  declare proxies: readonly ProxyView[];
  /** Ways that are no entry of the pool; left out of the shares when not given. */
  declare rotating: RotatingView | null | undefined;
  declare direct: FiguresView | undefined;
  declare now: number;
  #drawn: Drawn | undefined;
  #drawnAs = "";

  override shouldUpdate(): boolean {
    const drawn: Drawn = {
      series: seriesOf(this.overview.minutes, this.now),
      keys: sharesOf(this.keys.map(({ name, figures }) => attemptsOf(name, figures))),
      proxies: sharesOf(this.#ways()),
    };
    const drawnAs = JSON.stringify(drawn);
    if (drawnAs === this.#drawnAs) return false;
    this.#drawn = drawn;
    this.#drawnAs = drawnAs;
    return true;
  }

  override render() {
    if (this.#drawn === undefined) return html``;
    const { series, keys, proxies } = this.#drawn;
    const totals = totalsOf(series);
    // Attempts can be there before the first request has finished.
    const empty = totals.requests === 0 && keys.total === 0 && proxies.total === 0;
    return html`<section aria-label=${l10n.t("Overview of the last hour")} data-testid="overview">
      ${
        empty
          ? html`<div class="empty" data-testid="overview-empty">
              <p>${l10n.t("Requests of the last hour appear here.")}</p>
            </div>`
          : html`<div class="charts">${hourCharts(series, totals)}</div>
              ${hourTable(series)}
              <div class="charts who">
                ${shareBars("keys", l10n.t("Share per key"), keys)}
                ${shareBars("proxies", l10n.t("Share per proxy"), proxies)}
              </div>`
      }
    </section>`;
  }

  #ways() {
    const ways = this.proxies.map(({ name, figures }) => attemptsOf(name, figures));
    if (this.rotating) ways.push(attemptsOf(l10n.t("Rotating proxy"), this.rotating.figures));
    if (this.direct) ways.push(attemptsOf(l10n.t("No Proxy"), this.direct));
    return ways;
  }
}

customElements.define("overview-charts", OverviewCharts);
