const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

const bundle = () => import(pathToFileURL(join(__dirname, "../dist/offline.mjs")).href);

/**
 * Keeps serverless-offline from changing requests and answers: by default it answers some requests with its own pages,
 * allows every origin to read every answer, and turns compressed bodies into text.
 */
async function takeFront(server) {
  const { clientError, refusal } = await bundle();

  server.ext("onRequest", (request, h) => {
    // The event is built from the raw headers and keeps the origin; here it would switch on the framework's own CORS.
    delete request.headers.origin;
    // The framework would send ranges and compress answers; the plain server does neither.
    delete request.headers.range;
    request.info.acceptEncoding = "identity";
    return h.continue;
  });

  server.ext("onPreHandler", (request, h) => {
    // A type whose bodies serverless-offline passes on as base64, as API Gateway does.
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
