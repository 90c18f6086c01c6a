// Opens a namespace, loads a rule, says so, and waits to be killed.
import { Namespace } from "../../dist/linux/namespace.js";

const namespace = await Namespace.open();
await namespace.must({ argv: ["iptables-legacy", "-A", "INPUT", "-j", "ACCEPT"] });
process.stdout.write("ready\n");
await namespace.run([{ argv: ["sleep", "600"] }]);
