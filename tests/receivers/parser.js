// Receives notifications as a form or as JSON; content may be a text or an object.
"use strict";

const http = require("http");
const querystring = require("querystring");

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8");
    const type = request.headers["content-type"];
    // As body-parser does: exactly these types, anything else is an empty object.
    let form = {};
    if (type === "application/json") form = JSON.parse(body);
    if (type === "application/x-www-form-urlencoded") form = querystring.parse(body);
    const content = typeof form.content === "string" ? JSON.parse(form.content) : form.content;
    const file = content && content.recording_files[0];
    console.log(JSON.stringify({
      status: form.status, type: form.type, id: form.id, uuid: form.uuid,
      path: request.url, file: file && file.file_path, body, content_type: type,
      authorization: request.headers.authorization,
    }));
    response.writeHead(200).end();
  });
});
server.listen(Number(process.argv[2]), "127.0.0.1", () => console.log(server.address().port));
