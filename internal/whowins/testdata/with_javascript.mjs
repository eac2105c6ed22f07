// Resolves credentials with the provider chain in each environment of a file, and prints the access key ids.
import { readFileSync } from "node:fs";
import { fromNodeProviderChain } from "@aws-sdk/credential-providers";

console.warn = () => {}; // about keys in the environment beside AWS_PROFILE
const results = {};
for (const { name, env, profile } of JSON.parse(readFileSync(process.argv[2], "utf8"))) {
  for (const variable of Object.keys(process.env)) {
    if (/^(AWS|AMAZON)_/.test(variable)) delete process.env[variable];
  }
  Object.assign(process.env, env);
  try {
    const options = profile ? { profile } : {};
    const { accessKeyId } = await fromNodeProviderChain({ ...options, maxRetries: 0, clientConfig: { region: "us-east-1" } })();
    results[name] = { id: accessKeyId };
  } catch (error) {
    results[name] = { error: `${error.name}: ${error.message}` };
  }
}
console.log(JSON.stringify(results));
