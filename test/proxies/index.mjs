/**
 * The real proxies of the bench, each started on a free loopback port without rights of its own, each with its own log
 * as witness. One place to import them from; nothing else lives here.
 */
export { startDanted } from "./danted.mjs";
export { startTlsInFront } from "./haproxy.mjs";
export { startMicrosocks } from "./microsocks.mjs";
export { startSocks4 } from "./socks4.mjs";
export { startSquid } from "./squid.mjs";
export { startTelling } from "./telling.mjs";
export { startTinyproxy } from "./tinyproxy.mjs";
