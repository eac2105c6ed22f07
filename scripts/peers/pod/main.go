// Command pod decodes a manifest of a Pod into the types of Kubernetes, and fails where these have no such
// field, or the type of a value is another. It has a module of its own: nothing else needs those types.
package main

import (
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	if err := check(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "pod:", err)
		os.Exit(1)
	}
}

func check(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var pod corev1.Pod
	if err := yaml.UnmarshalStrict(data, &pod); err != nil {
		return err
	}
	if pod.APIVersion != "v1" || pod.Kind != "Pod" || len(pod.Spec.Containers) == 0 {
		return fmt.Errorf("%s is no Pod", file)
	}
	return nil
}
