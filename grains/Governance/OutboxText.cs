using DataHub.Catalog;

namespace DataHub.Governance;

/// <summary>What is said where too many events wait for the audit log.</summary>
internal static class OutboxText
{
    public static LocalText Full { get; } = new(
        "Das Audit-Log nimmt zurzeit nichts an; solange Früheres darauf wartet, wird hier nichts geändert.", "The audit log takes nothing at present; while earlier changes wait for it, nothing is changed here.");
}
