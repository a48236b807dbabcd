using System.ComponentModel;

using Xunit.Abstractions;
using Xunit.Sdk;

namespace DataHub.Support;

/// <summary>What every adapter of a port promises. Where the class that runs it <see cref="NeedsPostgresAttribute">needs PostgreSQL</see>, it is skipped without, but not in CI.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("DataHub.Support.ConformanceFactDiscoverer", "DataHub.Tests")]
internal sealed class ConformanceFactAttribute : FactAttribute;

/// <summary>The adapter under test stores in PostgreSQL.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class NeedsPostgresAttribute : Attribute;

public sealed class ConformanceFactDiscoverer(IMessageSink messages) : FactDiscoverer(messages)
{
    protected override IXunitTestCase CreateTestCase(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        new ConformanceTestCase(DiagnosticMessageSink, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod);
}

public sealed class ConformanceTestCase : XunitTestCase
{
    [EditorBrowsable(EditorBrowsableState.Never)]
    [Obsolete("For the deserializer.")]
    public ConformanceTestCase()
    {
    }

    public ConformanceTestCase(IMessageSink messages, TestMethodDisplay display, TestMethodDisplayOptions displayOptions, ITestMethod method)
        : base(messages, display, displayOptions, method)
    {
    }

    protected override string? GetSkipReason(IAttributeInfo factAttribute) =>
        PostgresServer.Missing is { } missing && Environment.GetEnvironmentVariable("CI") != "true"
            && TestMethod.TestClass.Class.GetCustomAttributes(typeof(NeedsPostgresAttribute)).Any()
            ? missing
            : base.GetSkipReason(factAttribute);
}
