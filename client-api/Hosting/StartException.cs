using DataHub.Catalog;

namespace DataHub.Hosting;

/// <summary>The hub cannot start as it was told to; the operator can put it right. Printed as one line, exit code 2.</summary>
internal sealed class StartException(LocalText reason, Exception? cause = null) : Exception(reason.In(Language.English), cause)
{
    public const int ExitCode = 2;

    public LocalText Reason { get; } = reason;
}
