# Asks STS who it is and prints the ARN: with boto3, and credentials from wherever it finds some. Region and
# endpoint are those of AWS_REGION and AWS_ENDPOINT_URL_STS, which boto3 of Debian 12 does not read itself.
import os
import sys

import boto3

try:
    sts = boto3.client("sts", region_name=os.environ["AWS_REGION"], endpoint_url=os.environ["AWS_ENDPOINT_URL_STS"])
    print(sts.get_caller_identity()["Arn"])
except Exception as error:
    sys.exit(str(error))
