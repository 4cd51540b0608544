package broker
import ("testing";"time")
func TestSpeed(t *testing.T){
 t0:=time.Now(); l:=func(s string){ t.Log(s, time.Since(t0)); t0=time.Now()}
 dir:=t.TempDir()
 b:=startIn(t,dir); l("start")
 createTopic(t,b,testTopic,testPartitions,nil); l("create")
 createTopic(t,b,"in",testPartitions,nil); l("create")
 committed(t,b,testTopic,testPartitions); l("committed")
 groupOffsets(t,b,testGroup,"in",testPartitions); l("offsets")
 b.Close(); l("close")
}
