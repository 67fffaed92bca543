"""An NVE: an Open vSwitch bridge in the root namespace, with the datapath this machine has."""

from mininet.node import OVSSwitch

from command import attempt, run

MAX_BACKOFF_MS = 1000  # the shortest Open vSwitch allows: a restarted controller is found again soon


def kernel_datapath_available():
    attempt(["modprobe", "-q", "openvswitch"])
    return attempt(["ovs-dpctl", "dump-dps"])[0] == 0


def datapath_of(wanted):
    if wanted == "auto":
        return "kernel" if kernel_datapath_available() else "user"
    return wanted


class Nve(OVSSwitch):
    """plan: the NvePlan; setting: the whole Plan."""

    def __init__(self, name, plan=None, setting=None, **params):
        params["batch"] = False  # Mininet asks for batches, and ignores what ovs-vsctl says in them
        super().__init__(
            name,
            dpid=f"{plan.number:x}",
            failMode=setting.fail_mode,
            datapath=datapath_of(setting.datapath),
            protocols=",".join(setting.protocols),
            reconnectms=MAX_BACKOFF_MS,
            **params,
        )
        self.plan = plan
        self.setting = setting

    def start(self, controllers):
        targets = self.setting.controllers
        if targets is None:
            targets = [f"{controller.protocol}:{controller.IP()}:{controller.port}" for controller in controllers]
        words = ["ovs-vsctl", "--timeout=15"]
        for place, target in enumerate(targets):
            words += ["--", f"--id=@c{place}", "create", "Controller", f'target="{target}"']
            words += [f"max_backoff={MAX_BACKOFF_MS}"]
        words += ["--", "add-br", self.name, "--", "set", "Bridge", self.name]
        words += [f"other_config:datapath-id={self.dpid}", f"fail_mode={self.failMode}"]
        # A VM that wakes up sends more than the default 100 frames before its new place is learnt.
        words += ["other_config:controller-queue-size=511"]
        words += ["other_config:disable-in-band=true", f"other_config:dp-desc={self.plan.server}"]
        words += [f"protocols={self.protocols}"]
        if self.datapath == "user":
            words += ["datapath_type=netdev"]
        if targets:
            words += ["controller=[" + ",".join(f"@c{place}" for place in range(len(targets))) + "]"]
        for port, interface in sorted(self.intfs.items()):
            if interface.name != "lo":
                words += ["--", "add-port", self.name, interface.name, "--", "set", "Interface", interface.name]
                vm = getattr(interface.link, "vm_plan", None)
                words += [f"ofport_request={port}"]
                if vm:
                    words += [f'external_ids:{key}="{value}"' for key, value in vm_identity(vm).items()]
                    if self.setting.mode == "normal":
                        words += ["--", "set", "Port", interface.name, f"tag={vm.vlan}"]
        run(words)

    def stop(self, deleteIntfs=True):
        attempt(["ovs-vsctl", "--timeout=10", "--if-exists", "del-br", self.name])
        super(OVSSwitch, self).stop(deleteIntfs)

    @classmethod
    def batchStartup(cls, switches, run=None):
        return switches

    @classmethod
    def batchShutdown(cls, switches, run=None):
        for switch in switches:
            switch.stop()
        return switches


def vm_identity(vm):
    """What a hypervisor writes on a VM's interface. vm: the VmPlan."""
    return {"iface-id": vm.name, "attached-mac": vm.mac, "vm-id": vm.name, "iface-status": "active"}
