// Lets a test use the editor's language models through the API that every
// extension has: a small server on loopback, one for each window, whose port is
// written into the folder that the test names. A caller that hangs up cancels
// its request. It must not know which models there are, nor judge what they say.

const { createServer } = require("node:http");
const { writeFileSync } = require("node:fs");
const { join } = require("node:path");
const vscode = require("vscode");

exports.activate = (context) => {
  const server = createServer((request, response) => {
    serve(request, response).catch((error) => {
      response.end(`${JSON.stringify({ error: { name: error.name, code: error.code, message: error.message } })}\n`);
    });
  });
  server.listen(0, "127.0.0.1", () => {
    writeFileSync(join(process.env.CHAT_DRIVER_FOLDER, `${process.pid}.port`), String(server.address().port));
  });
  context.subscriptions.push({ dispose: () => server.close() });
};

async function serve(request, response) {
  // The caller may wait for these before it lets the model say its first word.
  response.flushHeaders();
  const asked = JSON.parse(Buffer.concat(await request.toArray()).toString());
  const models = await vscode.lm.selectChatModels({ vendor: asked.vendor });
  const line = (value) => response.write(`${JSON.stringify(value)}\n`);
  if (asked.what === "models") {
    for (const { id, name, family, version, maxInputTokens } of models)
      line({ id, name, family, version, maxInputTokens });
    return response.end();
  }
  const model = models.find(({ id }) => id === asked.model);
  if (!model) throw new Error(`There is no model ${asked.model}.`);
  if (asked.what === "count") {
    line({ tokens: await model.countTokens(asked.text) });
    return response.end();
  }
  const cancel = new vscode.CancellationTokenSource();
  response.on("close", () => cancel.cancel());
  const { stream } = await model.sendRequest(asked.messages.map(message), asked.options ?? {}, cancel.token);
  for await (const part of stream) line(piece(part));
  response.end();
}

function message({ role, parts }) {
  return new vscode.LanguageModelChatMessage(vscode.LanguageModelChatMessageRole[role], parts.map(partOf));
}

function partOf({ text, image, call, result }) {
  if (image) return new vscode.LanguageModelDataPart(Buffer.from(image.base64, "base64"), image.mimeType);
  if (call) return new vscode.LanguageModelToolCallPart(call.callId, call.name, call.input);
  if (result) {
    return new vscode.LanguageModelToolResultPart(result.callId, [new vscode.LanguageModelTextPart(result.text)]);
  }
  return new vscode.LanguageModelTextPart(text);
}

function piece(part) {
  if (part instanceof vscode.LanguageModelTextPart) return { text: part.value };
  const { callId, name, input } = part;
  return { call: { callId, name, input } };
}
