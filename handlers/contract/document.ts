import { z } from "zod";

/** How a document may be kept and sent, besides its content. */
export interface DocumentTraits {
  readonly headers?: Readonly<Record<string, string>>;
  /** Changes when the content does: who has this one already is not sent it again. */
  readonly etag?: string;
  /** The same content in gzip, for those who can read it. */
  readonly gzip?: Uint8Array;
}

/** A body that is no JSON: text, bytes, or pieces of text that follow one another as they come. */
export class Document {
  readonly type: string;
  readonly content: string | Uint8Array | AsyncIterable<string>;
  readonly traits: DocumentTraits;

  constructor(type: string, content: Document["content"], traits: DocumentTraits = {}) {
    this.type = type;
    this.content = content;
    this.traits = traits;
  }
}

/** The reply schema of an endpoint that answers with documents of these types. */
export const documentsOf = (...types: string[]) => z.instanceof(Document).meta({ contentTypes: types });
