namespace DataHub.Support;

/// <summary>A test that needs PostgreSQL's server: skipped without it, but not in CI (<c>CI=true</c>), where it must be there.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class PostgresFactAttribute : FactAttribute
{
    public PostgresFactAttribute()
    {
        if (Environment.GetEnvironmentVariable("CI") != "true") Skip = PostgresServer.Missing;
    }
}
