import type { PlainText, TextFormat } from "../../../handlers/contract/plain-text.ts";
import type { HttpResponse } from "../message.ts";

export const TEXT_TYPES: Record<TextFormat, string> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  // Browsers show it instead of saving it as a file.
  markdown: "text/plain; charset=utf-8",
};

export const textResponse = ({ format, text }: PlainText, status: number): HttpResponse => ({
  status,
  headers: { "content-type": TEXT_TYPES[format] },
  body: text,
});
