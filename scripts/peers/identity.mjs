// Asks STS who it is and prints the ARN: with credentials from the credential_process of the profile in
// AWS_PROFILE, or without one or with PROVIDER_CHAIN, from wherever the SDK finds some. The endpoint
// comes from AWS_ENDPOINT_URL_STS. With UNTIL_RENEWED it goes on asking until it has other credentials than
// at first.
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { fromNodeProviderChain, fromProcess } from "@aws-sdk/credential-providers";

const client = new STSClient({
  region: process.env.AWS_REGION,
  endpoint: process.env.AWS_ENDPOINT_URL_STS,
  credentials: process.env.AWS_PROFILE && !process.env.PROVIDER_CHAIN ? fromProcess({ profile: process.env.AWS_PROFILE }) : fromNodeProviderChain(),
  maxAttempts: 1,
});
try {
  let first;
  for (;;) {
    const { Arn } = await client.send(new GetCallerIdentityCommand({}));
    const { accessKeyId } = await client.config.credentials();
    first ??= accessKeyId;
    if (!process.env.UNTIL_RENEWED || accessKeyId !== first) {
      console.log(Arn);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
