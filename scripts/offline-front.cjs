const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

const bundle = () => import(pathToFileURL(join(__dirname, "../dist/offline.mjs")).href);

/**
 * Keeps serverless-offline out of the conversation: left to itself it answers some requests with pages of its own,
 * allows every page of the web to read every answer, and turns compressed bodies into text.
 */
async function takeFront(server) {
  const { clientError, refusal } = await bundle();

  server.ext("onRequest", (request, h) => {
    // The event is made from the raw headers and keeps the origin; here it would switch on CORS of another kind.
    delete request.headers.origin;
    // Left to itself it would send parts of answers, and compress them: the plain server does neither.
    delete request.headers.range;
    request.info.acceptEncoding = "identity";
    return h.continue;
  });

  server.ext("onPreHandler", (request, h) => {
    // This is a type whose bodies serverless-offline hands on as bytes, in base64, as API Gateway does.
    request.headers["content-type"] = "application/octet-stream";
    return h.continue;
  });

  server.ext("onPreResponse", ({ response }, h) => {
    if (!response.isBoom) return h.continue;
    const { status, headers, body } = refusal(response.output.statusCode);
    const answer = h.response(body).code(status);
    for (const [name, value] of Object.entries(headers)) answer.header(name, value);
    return answer;
  });

  server.listener.removeAllListeners("clientError");
  server.listener.on("clientError", clientError);
}

let front;

module.exports = (_endpoint, functionKey, method, path) => {
  const name = `front-${functionKey}-${method}-${path}`;
  return {
    name,
    scheme: name,
    getAuthenticateFunction: (server) => {
      front ??= takeFront(server);
      return {
        authenticate: async (_request, h) => {
          await front;
          return h.authenticated({ credentials: {} });
        },
      };
    },
  };
};
