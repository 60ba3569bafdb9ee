// PartialDate: a year, perhaps with month and day, as bibliographic records give it.

package struct PartialDate: Sendable, Equatable {
    package var year: Int
    package var month: Int?
    package var day: Int?

    package init(year: Int, month: Int? = nil, day: Int? = nil) {
        self.year = year
        self.month = month
        self.day = month == nil ? nil : day
    }

    /// `2020`, `2020-02` or `2020-02-29`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { $0.utf8.allSatisfy(Byte.isDigit) ? Int($0) : nil }
        guard (1...3).contains(parts.count), numbers.count == parts.count, parts[0].utf8.count == 4,
            parts.dropFirst().allSatisfy({ $0.utf8.count == 2 }),
            numbers.count < 2 || (1...12).contains(numbers[1]), numbers.count < 3 || (1...31).contains(numbers[2])
        else { return nil }
        self.init(
            year: numbers[0], month: numbers.count > 1 ? numbers[1] : nil, day: numbers.count > 2 ? numbers[2] : nil)
    }

    /// Whether it lies after all of `limit`: nothing of February 2020 is after `2020-02`. What this date leaves open is
    /// taken for the first month or day.
    package func isAfter(_ limit: PartialDate) -> Bool {
        if year != limit.year { return year > limit.year }
        guard let lastMonth = limit.month else { return false }
        if month ?? 1 != lastMonth { return month ?? 1 > lastMonth }
        guard let lastDay = limit.day else { return false }
        return day ?? 1 > lastDay
    }

    /// Reads `02`, `2`, `Feb` or `February`.
    static func month(_ bytes: ArraySlice<UInt8>) -> Int? {
        if let number = number(bytes) { return (1...12).contains(number) ? number : nil }
        let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
        let head = bytes.prefix(3).map(Byte.lower)
        return names.firstIndex { head.elementsEqual($0.utf8) }.map { $0 + 1 }
    }

    static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard !bytes.isEmpty, bytes.count <= 4, bytes.allSatisfy(Byte.isDigit) else { return nil }
        return bytes.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
