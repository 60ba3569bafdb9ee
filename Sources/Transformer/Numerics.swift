// What the bits of a training run depend on beside its inputs.

package import Container
import Kernels

/// CPU kind, kernel variant, matrix products and BLAS of this process: recorded beside a result, never in a key. Two runs of
/// equal numerics give equal bits.
package enum Numerics {
    /// Of training in fp32, and of all that reads a model.
    package static let json = json(of: .cpu)

    /// Of training in that precision; nil where this CPU cannot.
    package static func json(of precision: TrainingPrecision) -> JSON? {
        precision == .fp32 ? json : Device.cpu(precision.device).map { json(of: $0) }
    }

    static func json(of device: Device) -> JSON {
        var json: JSON = [
            "cpu": .string(device.cpuKind), "kernels": .string(device.kernelVariant),
            "products": .string(device.products), "blas": .string(device.blas),
            "precision": .string(device.precision.rawValue),
        ]
        if let cblas = device.cblas {
            // The file's content, because two builds may call themselves the same.
            let digest = (try? MappedFile(path: cblas.path)).map { Digest.of($0.bytes).hex }
            json["blas_sha256"] = digest.map { .string($0) } ?? .null
        }
        return json
    }

    /// The environment variable that names a CBLAS library.
    package static let libraryVariable = "LINKLOOM_CBLAS"

    /// Lets the products of dense layers be computed by a CBLAS library.
    /// - Parameter name: a path, or a name that the dynamic linker finds; nothing happens for nil or none.
    /// - Throws: `ModelError` for a library that cannot be used.
    package static func use(cblas name: String?) throws(ModelError) {
        guard let name, !name.isEmpty else { return }
        do {
            Device.use(try CBLAS(name))
        } catch {
            throw ModelError(
                "\(libraryVariable) names '\(name)', which cannot compute products", cause: error.message,
                fix: "name a CBLAS library with 32-bit sizes, such as libmkl_rt.so.2 or libblis.so.4, or unset it")
        }
    }

    /// What two processes' numerics differ in, in words.
    static func differences(_ one: JSON, _ other: JSON) -> String {
        let names = Set((one.object ?? [:]).keys).union((other.object ?? [:]).keys).sorted()
        func shown(_ value: JSON?) -> String {
            value.map { $0.string ?? String(decoding: $0.canonical, as: UTF8.self) } ?? "none"
        }
        return names.filter { one[$0] != other[$0] }.map { "\($0) \(shown(one[$0])) → \(shown(other[$0]))" }
            .joined(separator: ", ")
    }
}
