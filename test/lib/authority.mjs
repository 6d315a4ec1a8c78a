/**
 * A certificate authority for one test run, made with the openssl program in a temporary directory. Issues leaf
 * certificates for the simulated upstream and for proxies that speak TLS, so that clients need to trust one file only.
 */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { run } from "./processes.mjs";
import { makeTempDir } from "./temp.mjs";

/**
 * @typedef {{certFile: string, keyFile: string, pemFile: string, cert: Buffer, key: Buffer}} Leaf
 * @typedef {{caFile: string, issue: (names: string[]) => Promise<Leaf>, dispose: () => void}} Authority
 */

const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const LOOPBACK_NAMES = ["127.0.0.1", "localhost"];

/** @returns {Promise<Authority>} */
export async function createAuthority() {
  const dir = makeTempDir("ca");
  const caFile = join(dir.path, "ca.pem");
  const caKey = join(dir.path, "ca.key");
  const usage = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"];
  await run("openssl", [
    "req",
    "-x509",
    ...CURVE,
    "-keyout",
    caKey,
    "-out",
    caFile,
    "-days",
    "2",
    "-subj",
    "/CN=Test bench CA",
    ...usage,
  ]);

  let issued = 0;
  return {
    caFile,
    async issue(names) {
      issued += 1;
      const base = join(dir.path, `leaf-${issued}`);
      const files = { certFile: `${base}.pem`, keyFile: `${base}.key`, pemFile: `${base}-both.pem` };
      const all = [...new Set([...names, ...LOOPBACK_NAMES])];
      const san = all.map((name) => `${isIP(name) ? "IP" : "DNS"}:${name}`).join(",");
      const request = `${base}.csr`;
      const extensions = `${base}.ext`;
      writeFileSync(extensions, `subjectAltName=${san}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n`);
      await run("openssl", ["req", ...CURVE, "-keyout", files.keyFile, "-out", request, "-subj", `/CN=${all[0]}`]);
      const signing = [
        "-CA",
        caFile,
        "-CAkey",
        caKey,
        "-set_serial",
        String(issued),
        "-days",
        "2",
        "-extfile",
        extensions,
      ];
      await run("openssl", ["x509", "-req", "-in", request, "-out", files.certFile, ...signing]);
      const cert = readFileSync(files.certFile);
      const key = readFileSync(files.keyFile);
      // Readable for the daemons' account: these keys live for one test run and protect nothing.
      writeFileSync(files.pemFile, Buffer.concat([cert, key]));
      chmodSync(files.keyFile, 0o644);
      return { ...files, cert, key };
    },
    dispose: dir.dispose,
  };
}
