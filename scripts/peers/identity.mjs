// Asks STS who the profile in AWS_PROFILE is, with credentials from its credential_process, and
// prints the ARN. The endpoint comes from AWS_ENDPOINT_URL_STS.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromProcess } from "@aws-sdk/credential-providers";

const client = new STSClient({
  region: process.env.AWS_REGION,
  endpoint: process.env.AWS_ENDPOINT_URL_STS,
  credentials: fromProcess({ profile: process.env.AWS_PROFILE }),
  maxAttempts: 1,
});
try {
  console.log((await client.send(new GetCallerIdentityCommand({}))).Arn);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
