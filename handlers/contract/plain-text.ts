import { z } from "zod";

export type TextFormat = "prometheus" | "markdown";

/** An answer that is text in a format of its own, and not JSON. */
export class PlainText {
  readonly format: TextFormat;
  readonly text: string;

  constructor(format: TextFormat, text: string) {
    this.format = format;
    this.text = text;
  }
}

/** The reply schema of an endpoint that answers with text of this format. */
export const plainTextOf = (format: TextFormat) => z.instanceof(PlainText).meta({ textFormat: format });
