/**
 * Lets the process go on when the reader of its output has gone, as `head` does after some lines: an import is not to end
 * half-way, nor a server with its log. What is written from then on is lost.
 */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
