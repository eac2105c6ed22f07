// Command linked is what the libraries of kedge cost at every start: a main that prints a
// line, as bare does, and only links cobra, the retryer of aws-sdk-go-v2, yaml, circl's ML-DSA and an https client.
// Go initializes packages whether they are used or not.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

func main() {
	if len(os.Args) > 1 { // never true; it keeps the linker from dropping the packages
		command := &cobra.Command{RunE: func(_ *cobra.Command, args []string) error {
			resp, err := http.Get(args[0])
			fmt.Println(resp, retry.NewStandard().IsErrorRetryable(err), yaml.Unmarshal(nil, new(yaml.Node)))
			fmt.Println(mldsa44.Scheme(), mldsa65.Scheme(), mldsa87.Scheme())
			return err
		}}
		if command.Execute() != nil {
			os.Exit(1)
		}
		return
	}
	os.Stdout.WriteString("linked 0\n")
}
