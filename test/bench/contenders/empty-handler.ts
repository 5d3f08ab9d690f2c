/** The least that a Lambda function can be. */
export const answer = async () => ({ statusCode: 204 });
