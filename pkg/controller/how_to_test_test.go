package controller_test

import (
	"context"
	"testing"
	"testing/synctest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/sluice-k8s/sluice/pkg/controller/write"
)

// How a controller is tested, here that of the package example: with a fake clientset, in virtual time. Wait returns when the
// controller has done all that there is to do.
func TestHowControllersAreTested(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		clients := fake.NewClientset(labelled("db"))
		secrets := clients.CoreV1().Secrets("default")
		var effects []write.Effect
		ended := make(chan error, 1)
		go func() {
			ended <- runSecrets(ctx, clients, func(_ types.NamespacedName, e write.Effect) { effects = append(effects, e) })
		}()

		synctest.Wait()
		secret, err := secrets.Get(ctx, "db", metav1.GetOptions{})
		if err != nil || string(secret.Data["user"]) != "admin" {
			t.Fatalf("Secret is %+v, %v", secret, err)
		}
		secret.Data["user"] = []byte("mallory")
		if _, err := secrets.Update(ctx, secret, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if secret, err = secrets.Get(ctx, "db", metav1.GetOptions{}); err != nil || string(secret.Data["user"]) != "admin" {
			t.Errorf("what was changed is not put back: %+v, %v", secret, err)
		}
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
		if len(effects) != 2 || effects[0] != write.Created || effects[1] != write.Updated {
			t.Errorf("effects are %v", effects)
		}
	})
}
