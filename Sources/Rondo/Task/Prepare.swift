import CRondo
import CRondoShim
extension LoopRef { func prepareTasks() {} }
