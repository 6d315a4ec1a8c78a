/**
 * A user's program with @google/genai that downloads one file, named in each way the library takes: its name, and a
 * video with its address. Prints what it got as one JSON object. Started with the library's name, the endpoint, the
 * token and the address in its environment.
 */
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

const { LIBRARY, ENDPOINT, TOKEN, URI, NAME, DOWNLOAD } = process.env;
const { GoogleGenAI } = createRequire(join(__dirname, "../../clients/package.json"))(LIBRARY);
const ai = new GoogleGenAI({ apiKey: TOKEN, httpOptions: { baseUrl: ENDPOINT } });

/** @param {any} file */
async function downloaded(file) {
  await ai.files.download({ file, downloadPath: DOWNLOAD });
  return readFileSync(DOWNLOAD, "utf8");
}

(async () => {
  const results = {
    video: await downloaded({ uri: URI, videoBytes: "", mimeType: "video/mp4" }),
    made: await downloaded({ video: { uri: URI } }),
    name: await downloaded(NAME),
    read: (await ai.files.get({ name: URI.split(":download")[0] })).name,
  };
  console.log(JSON.stringify(results));
})();
