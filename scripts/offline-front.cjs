const { join } = require("node:path");
const { pathToFileURL } = require("node:url");

const bundle = () => import(pathToFileURL(join(__dirname, "../dist/offline.mjs")).href);

/** Converts a refusal of the server to an answer of the framework. */
function answered(h, { status, headers, body }) {
  const answer = h.response(body).code(status);
  for (const [name, value] of Object.entries(headers)) answer.header(name, value);
  return answer;
}

/** A target such as `http://host/path` becomes the path and the Host header, before the framework looks at either. */
function takeAbsoluteTarget(request, parseTarget) {
  const { path, query, host } = parseTarget(request.url);
  if (host === undefined) return;
  request.url = query === "" ? path : `${path}?${query}`;
  request.headers.host = host;
  const at = request.rawHeaders.findIndex((name, index) => index % 2 === 0 && /^host$/i.test(name));
  if (at >= 0) request.rawHeaders[at + 1] = host;
}

/** Refuses a body with a too large content-length instead of sending 100 Continue. */
function continueOrRefuse(listener, refusal, maxBytes) {
  return (request, response) => {
    if (Number(request.headers["content-length"] ?? 0) > maxBytes) {
      const { status, headers, body } = refusal(413);
      response.writeHead(status, {
        ...headers,
        "content-length": Buffer.byteLength(body),
        connection: "close",
      });
      response.end(body);
      return;
    }
    response.writeContinue();
    listener.emit("request", request, response);
  };
}

/**
 * Keeps serverless-offline from changing requests and answers: by default it answers some requests with its own pages,
 * allows every origin to read every answer, and turns compressed bodies into text.
 */
async function takeFront(server) {
  const { faultOf, MAX_BODY_BYTES, parseTarget, refusal, refusalOf, refuseInProblems } = await bundle();

  server.ext("onRequest", (request, h) => {
    const fault = faultOf(request.raw.req);
    if (fault !== undefined) return answered(h, refusalOf(fault)).takeover();
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

  server.ext("onPreResponse", ({ response }, h) =>
    response.isBoom ? answered(h, refusal(response.output.statusCode)) : h.continue,
  );

  const { listener } = server;
  listener.requireHostHeader = false;
  listener.prependListener("request", (request) => takeAbsoluteTarget(request, parseTarget));
  listener.on("checkContinue", continueOrRefuse(listener, refusal, MAX_BODY_BYTES));
  refuseInProblems(listener);
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
