using DataHub.Indicators;

namespace DataHub.Pipelines;

/// <summary>Of what the shares of groups are.</summary>
internal sealed class UseTotal
{
    public ExactSum Stock { get; } = new();

    public ExactSum Loans { get; } = new();
}
